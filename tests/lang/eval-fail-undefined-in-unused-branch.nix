# Found when parsing, whatever is evaluated.
if true then 1 else nowhere

# Columns are bytes, not characters.
[ "ä🙂" __curPos.column (builtins.unsafeGetAttrPos "b" { "ä" = 1; b = 2; }).column	__curPos.column ]

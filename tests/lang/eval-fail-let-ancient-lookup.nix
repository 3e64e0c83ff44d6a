# It is `(rec { … }).body`, so the other attributes are no more to be had.
(let { a = 1; body = { }; }).a

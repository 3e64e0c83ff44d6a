let all = [ 1 1.5 "s" ./p true null [ ] { } (x: x) builtins.add (builtins.add 1) ]; b = builtins; in {
  typeOf = map b.typeOf all;
  isInt = map b.isInt all;
  isFloat = map b.isFloat all;
  isString = map b.isString all;
  isPath = map b.isPath all;
  isBool = map b.isBool all;
  isNull = map b.isNull all;
  isList = map b.isList all;
  isAttrs = map b.isAttrs all;
  isFunction = map b.isFunction all;
}

{
  outPath = "${{ outPath = "an out path"; }}";
  toString = "${{ __toString = self: self.word; word = "a word"; }}";
  toStringWins = "${{ __toString = _: "toString"; outPath = "outPath"; }}";
  nested = "${{ outPath = { outPath = "deep"; }; }}";
  toStringGivesSet = "${{ __toString = _: { outPath = "set"; }; }}";
  derivation = "${{ type = "derivation"; outPath = "fake"; }}";
}

throw { __toString = _: "said by __toString"; }

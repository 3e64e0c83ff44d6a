# What `__toString` gives must itself be coercible.
"${{ __toString = _: 1; }}"

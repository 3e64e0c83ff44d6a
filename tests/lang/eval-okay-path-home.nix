[ (toString ~/x) (toString ~/a/../b) (builtins.typeOf ~/x) ]

with builtins; [ (getEnv "LANG_TEST_WORD") (getEnv "SURELY_NOT_SET") (typeOf (getEnv "")) ]

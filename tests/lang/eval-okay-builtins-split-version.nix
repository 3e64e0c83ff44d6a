map builtins.splitVersion [ "1.2.3" "1.2pre3-4" "" "abc" "1a2b" "." "1..2" "-1" "2.3.4-rc1" "ä1" "1_2" ]

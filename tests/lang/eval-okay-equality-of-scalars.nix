{
  same = [ (1 == 1) ("a" == "a") (true == true) (null == null) (1.5 == 1.5) (./a == ./a) ];
  different = [ (1 == 2) ("a" == "b") (true == false) (./a == ./b) (1 != 1) ];
  types = [ (1 == "1") (null == false) (./a == toString ./a) ([ ] == { }) ("" == null) (1 == true) ];
}

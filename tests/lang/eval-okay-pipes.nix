let inc = x: x + 1; in [ (1 |> inc |> inc) (inc <| inc <| 1) ([ 1 2 ] |> map inc |> builtins.length) (2 |> (x: x * 2)) ]

[ (false && throw "a") (true || throw "b") (false -> throw "c") (true && true || throw "d") ]

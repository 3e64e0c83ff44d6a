[ true false null (!true) (!false) (true && false) (true || false) (true -> false) (false -> true) ]

let or = "o"; f = x: "f ${x}"; in [ f or ]

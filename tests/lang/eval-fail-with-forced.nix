with throw "the with"; a

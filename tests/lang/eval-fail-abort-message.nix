abort "a reason"

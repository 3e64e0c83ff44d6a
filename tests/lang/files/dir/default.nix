"the default of dir"

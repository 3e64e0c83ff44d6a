1 // "right"

[ ].length

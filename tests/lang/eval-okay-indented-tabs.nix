# Tabs are not taken for indentation.
[
  ''
	a
	b
  ''
  ''
  	a
    b
  ''
  ''	a
  b''
]

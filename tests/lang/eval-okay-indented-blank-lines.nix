# Lines of blanks alone don't count for the indentation, but what they have beyond it is kept.
[
  ''
    a
  
    b
  ''
  ''
    a
          
    b
  ''
  ''
      
    a
  ''
  ''
    a
      ''
  ''
    a
   ''
]

[ http://example.org/a?b=c&d=e x:x mailto:someone@example.org (x: x:y) git+ssh://host/a.b~c ]

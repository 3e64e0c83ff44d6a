import "files/dir"

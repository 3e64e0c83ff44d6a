"${./does/not/exist}"

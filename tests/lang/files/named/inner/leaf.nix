"named/inner/leaf"

[ 1 nowhere ]

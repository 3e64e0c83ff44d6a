./files/plain.txt

{ throws = throw "from the imported file"; fine = 1; }

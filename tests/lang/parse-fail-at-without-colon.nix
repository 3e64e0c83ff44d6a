{ a } @ b

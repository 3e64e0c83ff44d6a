{ x ? 1, ... } @ all: all

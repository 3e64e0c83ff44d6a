{ umlaut = builtins.stringLength "ä"; emoji = builtins.stringLength "🙂"; half = builtins.substring 0 2 "äb"; cafe = "café" == "cafe\u0301"; backslashU = "\u00e4"; }

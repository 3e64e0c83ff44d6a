# A platform that the tool does not run on.
(import ./common).nixos-bootstrap.lib.mkApps { systems = [ "i686-linux" ]; }

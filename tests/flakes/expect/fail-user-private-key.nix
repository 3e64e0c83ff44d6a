# A private key among the public ones.
let
  host = (import ./common).host [ "user" ] [
    {
      bootstrap.user = "ta";
      bootstrap.account.keysDir = ./folders/keys-private;
    }
  ];
in
host.config.users.users.ta.openssh.authorizedKeys.keys

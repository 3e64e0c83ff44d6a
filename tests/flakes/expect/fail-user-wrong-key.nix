# A line that is no key.
let
  host = (import ./common).host [ "user" ] [
    {
      bootstrap.user = "ta";
      bootstrap.account.keysDir = ./folders/keys-wrong;
    }
  ];
in
host.config.users.users.ta.openssh.authorizedKeys.keys

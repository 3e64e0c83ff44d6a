# Hosts made by hand, without a module system: what the facts expression reads of them is under
# expected/, what the decoders make of it too. Anything that throws here must not be read.
{
  description = "Fixture hosts for the facts";

  outputs =
    { self }:
    {
      nixosConfigurations = {
        article = import ./hosts/article.nix;
        bootstrap = import ./hosts/bootstrap.nix;
        encrypted = import ./hosts/encrypted.nix;
        image = import ./hosts/image.nix;
        old = import ./hosts/old.nix;
        secrets = import ./hosts/secrets.nix;
        storage = import ./hosts/storage.nix;
      };
      # A broken part of the flake that nobody asks for.
      unrelated = throw "read something that nobody asked for";
    };
}

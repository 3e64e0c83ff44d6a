# The keys of NixOS's tests have these names. Nothing here can use them.
pkgs: {
  snakeOilPrivateKey = pkgs.writeText "privkey.snakeoil" "stands for a key\n";
  snakeOilPublicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpuP4Ez7n7RAsxWk7lpuF3iWrqpY3PPs7wz4HqHb0mD snakeoil";
}

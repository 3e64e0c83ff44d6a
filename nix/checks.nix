{ self, pkgs, disko, package }: { inherit package; }

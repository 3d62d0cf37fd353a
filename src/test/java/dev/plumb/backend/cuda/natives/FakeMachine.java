package dev.plumb.backend.cuda.natives;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A simulated machine: files below a folder that the search for CUDA reads. */
final class FakeMachine {
  private final Path root;
  private final Map<String, String> environment = new HashMap<>();
  private String osName = "Linux";
  private String osArch = "amd64";

  FakeMachine(Path root) {
    this.root = root;
  }

  /** Returns a machine with a loaded driver of this version and one GPU. */
  static FakeMachine withDriver(Path root, String version) throws IOException {
    return new FakeMachine(root)
        .library("/usr/lib/x86_64-linux-gnu/libcuda.so." + version)
        .link("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so." + version)
        .file("/proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  " + version
            + "  Tue Sep 26 17:23:00 UTC 2023\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n")
        .file("/dev/nvidia0", "")
        .file("/dev/nvidiactl", "");
  }

  FakeMachine platform(String name, String arch) {
    osName = name;
    osArch = arch;
    return this;
  }

  FakeMachine variable(String name, String value) {
    environment.put(name, value);
    return this;
  }

  FakeMachine file(String path, String content) throws IOException {
    Files.writeString(newFile(path), content);
    return this;
  }

  FakeMachine link(String path, String to) throws IOException {
    Files.createSymbolicLink(newFile(path), Path.of(to));
    return this;
  }

  /** Adds a library that the search accepts: a header and one segment. */
  FakeMachine library(String path) throws IOException {
    Files.write(newFile(path), elf(62, 4096));
    return this;
  }

  /** Adds a library that ends in the middle of its segment. */
  FakeMachine truncatedLibrary(String path) throws IOException {
    Files.write(newFile(path), Arrays.copyOf(elf(62, 4096), 2000));
    return this;
  }

  /** Adds a library for a 32-bit processor. */
  FakeMachine foreignLibrary(String path) throws IOException {
    Files.write(newFile(path), elf(3, 4096));
    return this;
  }

  Path path(String absolute) {
    return root.resolve(absolute.substring(1));
  }

  HostEnvironment host() {
    return new HostEnvironment(root, environment, osName, osArch, Optional.empty());
  }

  CudaSystem inspect() {
    return CudaSystem.inspect(host());
  }

  /** Returns why CUDA cannot be used; empty if the files show no problem. */
  Optional<CudaProblem> problem() {
    return inspect().problem();
  }

  private Path newFile(String path) throws IOException {
    Path file = path(path);
    Files.createDirectories(file.getParent());
    return file;
  }

  private static byte[] elf(int machine, int bytes) {
    ByteBuffer file = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(0, 0x464c457f);
    file.put(4, (byte) (machine == 62 ? 2 : 1));
    file.putShort(18, (short) machine);
    file.putLong(32, 64);
    file.putShort(54, (short) 56);
    file.putShort(56, (short) 1);
    file.putInt(64, 1);
    file.putLong(64 + 32, bytes);
    return file.array();
  }
}

package dev.plumb.backend.cuda;

import dev.plumb.backend.DeviceUnavailableException;

/**
 * Why CUDA cannot be used here. All such reasons are made in this class, so that a command that was refused the GPU and
 * {@code plumb devices} say the same.
 *
 * @param reason what is wrong, without a full stop
 * @param remedy what the user can do about it
 */
record Obstacle(String reason, String remedy) {
  static Obstacle unsupportedPlatform(String osName, String osArch) {
    return new Obstacle("there is no CUDA for Java on " + osName + " " + osArch + " (only on Linux and Windows, x86-64)",
        "use --device cpu here, or a Linux or Windows x86-64 machine with an NVIDIA card");
  }

  static Obstacle cannotUnpack(String what) {
    return new Obstacle("JCuda's libraries could not be unpacked: " + what,
        "build or download Plumb's jar again, and see that the temp folder has space (another one: "
            + "PLUMB_JAVA_OPTS=-Djava.io.tmpdir=DIR)");
  }

  static Obstacle cannotLoad(String what) {
    return new Obstacle("a library could not be loaded: " + what, "see plumb devices for what was found where");
  }

  static Obstacle driverRefuses(String call, int code, String name) {
    return new Obstacle("the driver's " + call + " says " + name + " (" + code + ")", "see that nvidia-smi works and lists a card");
  }

  static Obstacle noCard() {
    return new Obstacle("the driver is there, and finds no card", "see that nvidia-smi lists a card, and that CUDA_VISIBLE_DEVICES"
        + " does not hide it");
  }

  DeviceUnavailableException asException() {
    return new DeviceUnavailableException("the GPU cannot be used: " + reason + "; " + remedy);
  }
}

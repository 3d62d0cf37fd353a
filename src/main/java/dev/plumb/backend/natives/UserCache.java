package dev.plumb.backend.natives;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** The user's cache folder, at the location that is usual on each operating system. */
final class UserCache {
  private UserCache() {}

  /** Returns Plumb's folder in it; empty for users without a home folder. */
  static Optional<Path> folder() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    if (system.startsWith("windows")) {
      return absolute(System.getenv("LOCALAPPDATA")).map(folder -> folder.resolve("plumb").resolve("cache"));
    }
    if (system.startsWith("mac")) {
      return home().map(home -> home.resolve("Library/Caches/plumb"));
    }
    return absolute(System.getenv("XDG_CACHE_HOME")).or(() -> home().map(home -> home.resolve(".cache")))
        .map(folder -> folder.resolve("plumb"));
  }

  /** Returns the home folder. Java calls it "?" for users without an entry in the user database. */
  private static Optional<Path> home() {
    return absolute(System.getProperty("user.home"));
  }

  private static Optional<Path> absolute(String folder) {
    return Optional.ofNullable(folder).filter(name -> !name.isBlank()).map(Path::of).filter(Path::isAbsolute);
  }
}

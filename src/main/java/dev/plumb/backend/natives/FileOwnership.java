package dev.plumb.backend.natives;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.EnumSet;
import java.util.Set;

/** Files and folders that only the user of this process can write to. Checks nothing where the file system has no owners. */
final class FileOwnership {
  private static final boolean POSIX = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
  private static final Set<PosixFilePermission> PERMISSIONS = PosixFilePermissions.fromString("rwx------");
  private static final Set<PosixFilePermission> OTHERS_WRITE =
      EnumSet.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
  private static final Path PROCESS = Path.of("/proc/self");

  private FileOwnership() {}

  /** Returns the attributes of new files and folders: access for the user only. */
  static FileAttribute<?>[] attributes() {
    return POSIX ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PERMISSIONS)} : new FileAttribute<?>[0];
  }

  /**
   * Creates a folder with access for the user only, or restricts an existing one.
   *
   * @return its real path
   * @throws IOException also when it belongs to another user, or others can still write to it
   */
  static Path privateFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder, attributes());
    }
    Path real = folder.toRealPath();
    if (POSIX) {
      if (!Files.getOwner(real).equals(user())) {
        throw new IOException(real + ": belongs to another user");
      }
      if (!Files.getPosixFilePermissions(real).equals(PERMISSIONS)) {
        Files.setPosixFilePermissions(real, PERMISSIONS);
        if (!isPrivate(real)) {
          throw new IOException(real + ": others can write to it");
        }
      }
    }
    return real;
  }

  /** Returns whether a file or folder exists, belongs to the user, and nobody else can write to it. */
  static boolean isPrivate(Path file) throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    if (!POSIX) {
      return true;
    }
    PosixFileAttributes found = Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    return found.owner().equals(user()) && found.permissions().stream().noneMatch(OTHERS_WRITE::contains);
  }

  /** Returns the owner of new files. The owner of /proc/self also works for users without a name, as in containers. */
  private static UserPrincipal user() throws IOException {
    return Files.exists(PROCESS) ? Files.getOwner(PROCESS)
        : FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(System.getProperty("user.name"));
  }
}

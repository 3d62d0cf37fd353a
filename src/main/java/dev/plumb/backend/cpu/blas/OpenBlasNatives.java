package dev.plumb.backend.cpu.blas;

import dev.plumb.backend.natives.NativeFolder;
import dev.plumb.backend.natives.NativeLibrary;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.ClassProperties;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * The native libraries of bytedeco's OpenBLAS and of netlib, in a folder of Plumb's. JavaCPP would load its own from
 * {@code ~/.javacpp/cache} as soon as size and time are right: a file that was damaged, too, which ends the process.
 */
final class OpenBlasNatives implements AutoCloseable {
  private static final String CACHE = "org.bytedeco.javacpp.cachedir";
  private static final String CACHE_IS_FLAT = "org.bytedeco.javacpp.cachedir.nosubdir";

  /** Precedes the version in a library's name for JavaCPP. */
  private static final String VERSION = "@";

  private static final String NETLIB = "libnetlibblasjni.so";

  /**
   * A library that JavaCPP would load.
   *
   * @param user the class that it would load it for
   * @param name its name for JavaCPP
   */
  private record Loadable(Class<?> user, String name, NativeLibrary library) {}

  private final NativeFolder folder;
  private final List<Loadable> libraries;
  private final Optional<NativeLibrary> netlib;

  private OpenBlasNatives(NativeFolder folder, List<Loadable> libraries, Optional<NativeLibrary> netlib) {
    this.folder = folder;
    this.libraries = libraries;
    this.netlib = netlib;
  }

  /** @throws UnsatisfiedLinkError when the jar has none for this platform */
  static OpenBlasNatives open() throws IOException {
    List<Loadable> libraries = new ArrayList<>(libraries(Loader.class));
    libraries.addAll(libraries(openblas_nolapack.class));
    if (libraries.isEmpty()) {
      throw new UnsatisfiedLinkError("the jar has no OpenBLAS for " + Loader.getPlatform());
    }
    URL resource = OpenBlasNatives.class.getResource(
        "/resources/native/" + System.getProperty("os.name") + "-" + System.getProperty("os.arch") + "/" + NETLIB);
    Optional<NativeLibrary> netlib = resource == null ? Optional.empty() : Optional.of(NativeLibrary.of(NETLIB, resource));
    List<NativeLibrary> all = new ArrayList<>(libraries.stream().map(Loadable::library).toList());
    netlib.ifPresent(all::add);
    return new OpenBlasNatives(NativeFolder.open("openblas", all, links(libraries)), libraries, netlib);
  }

  /**
   * Returns the links to versioned libraries that JavaCPP makes when they are missing. Where another process makes the same link at
   * that moment, JavaCPP unpacks all libraries in place, and ends a third process that is loading one of them.
   */
  private static Map<String, String> links(List<Loadable> libraries) {
    String suffix = Loader.loadProperties().getProperty("platform.library.suffix");
    Map<String, String> links = new LinkedHashMap<>();
    for (Loadable loadable : libraries) {
      String file = loadable.library().name();
      // libname.so.5 has the link libname.so, libname.5.dylib the link libname.dylib.
      int end = file.endsWith(suffix) ? file.indexOf('.') : file.indexOf(suffix);
      if (loadable.name().contains(VERSION) && end > 0 && !file.equals(file.substring(0, end) + suffix)) {
        links.put(file.substring(0, end) + suffix, file);
      }
    }
    return links;
  }

  /** Returns the libraries that JavaCPP would load for a class, in its order, as far as the jar has them. */
  private static List<Loadable> libraries(Class<?> user) throws IOException {
    ClassProperties properties = Loader.loadProperties(user, Loader.loadProperties(), true);
    List<String> names = new ArrayList<>(properties.get("platform.preload"));
    names.addAll(properties.get("platform.link"));
    names.add(properties.getProperty("platform.library"));
    List<Loadable> libraries = new ArrayList<>();
    for (String name : names) {
      URL[] found = Loader.findLibrary(user, properties, name, false);
      // A plain file is the system's.
      if (found.length > 0 && !found[0].getProtocol().equals("file")) {
        String path = found[0].getRef() == null ? found[0].getPath() : found[0].getRef();
        libraries.add(new Loadable(user, name, NativeLibrary.of(path.substring(path.lastIndexOf('/') + 1), found[0])));
      }
    }
    return libraries;
  }

  /** Loads OpenBLAS for bytedeco's calls. */
  void load() throws IOException {
    // Classes of JavaCPP that are used later ask for their libraries again, and find in this cache the very files that are loaded.
    System.setProperty(CACHE, folder.path().toString());
    System.setProperty(CACHE_IS_FLAT, "true");
    for (Loadable loadable : libraries) {
      URL file = folder.file(loadable.library().name()).toUri().toURL();
      try {
        Loader.loadLibrary(loadable.user(), new URL[] {file}, loadable.name());
      } catch (UnsatisfiedLinkError e) {
        // The system may have it, too; otherwise the next call says what is missing.
      }
    }
    Loader.load(openblas_nolapack.class);
  }

  /** Returns the file of netlib's library; empty where there is none for this platform. */
  Optional<Path> netlib() {
    return netlib.map(library -> folder.file(library.name()));
  }

  @Override
  public void close() {
    folder.close();
  }
}

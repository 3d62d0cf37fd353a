package dev.plumb.backend.cpu.blas;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A class loader that loads netlib's native library from a given file. Netlib's own class can load it only from a copy that it
 * makes in the folder of temporary files, where others may write to it and a killed process leaves it. This class loader defines
 * Plumb's
 * {@link NetlibMethods} under the name of that class, so that netlib's class may be on the class path as well.
 */
final class NetlibLoader extends ClassLoader {
  private static final String NETLIB_CLASS = "dev/ludovic/netlib/blas/JNIBLAS";

  /** Tag of a string in a class file's constant pool. */
  private static final char TEXT = 1;

  private NetlibLoader() {
    super(NetlibLoader.class.getClassLoader());
  }

  /**
   * Loads the library.
   *
   * @throws ReflectiveOperationException with a LinkageError as its cause when the library cannot be loaded
   */
  static NetlibCalls load(Path library) throws ReflectiveOperationException, IOException {
    byte[] renamed = renamed();
    Class<?> defined = new NetlibLoader().defineClass(NETLIB_CLASS.replace('/', '.'), renamed, 0, renamed.length);
    Constructor<?> constructor = defined.getDeclaredConstructor(String.class);
    constructor.setAccessible(true);
    return (NetlibCalls) constructor.newInstance(library.toString());
  }

  private static byte[] renamed() throws IOException {
    String name = NetlibMethods.class.getName().replace('.', '/');
    try (InputStream in = NetlibLoader.class.getResourceAsStream("/" + name + ".class")) {
      String content = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
      return content.replace(constant(name), constant(NETLIB_CLASS)).getBytes(StandardCharsets.ISO_8859_1);
    }
  }

  /** Returns a string as it is stored in a class file: tag, length in two bytes, characters. */
  private static String constant(String text) {
    return TEXT + "" + (char) (text.length() >> Byte.SIZE) + (char) (text.length() & 0xff) + text;
  }
}

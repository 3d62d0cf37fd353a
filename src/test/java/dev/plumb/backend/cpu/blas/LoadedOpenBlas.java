package dev.plumb.backend.cpu.blas;

/**
 * Loads OpenBLAS, and says what came of it: the name, with exit code 0, or the reason, with 3. With an argument it waits then.
 */
final class LoadedOpenBlas {
  private LoadedOpenBlas() {}

  public static void main(String[] arguments) throws Exception {
    OpenBlas.Loading loading = OpenBlas.load();
    if (loading instanceof OpenBlas.Refused refused) {
      System.out.println(refused.reason());
      System.exit(3);
    }
    System.out.println(((OpenBlas.Loaded) loading).openBlas().floats().name());
    if (arguments.length > 0) {
      Thread.currentThread().join();
    }
  }
}

package dev.plumb.cli;

import java.io.PrintStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ctrl-C and kill as a wish: while this is open, SIGINT and SIGTERM only set a flag, and the second one ends the process at once.
 * A shutdown hook could do it too, but runs when the JVM is on its way down already, beside the hooks of libraries that training
 * still needs, and could not choose the exit code.
 *
 * <p>{@code sun.misc.Signal} is part of every JDK (module jdk.unsupported), but javac warns of it whatever it is told: it is called
 * by reflection. Where there is none, or the JVM keeps the signals to itself (-Xrs), the process ends as without this.
 */
final class StopSignal implements AutoCloseable {
  private static final List<String> SIGNALS = List.of("INT", "TERM");

  /** A signal and who handled it before. */
  private record Replaced(Object signal, Object handler) {}

  private final AtomicBoolean requested = new AtomicBoolean();
  private final List<Replaced> replaced = new ArrayList<>();

  private StopSignal() {}

  /** @param err is told what will happen */
  static StopSignal open(PrintStream err) {
    StopSignal stop = new StopSignal();
    InvocationHandler handler = (proxy, method, arguments) -> switch (method.getName()) {
      case "handle" -> {
        stop.signalled(err);
        yield null;
      }
      case "hashCode" -> System.identityHashCode(proxy);
      case "equals" -> proxy == arguments[0];
      default -> "Plumb's handler of signals";
    };
    for (String signal : SIGNALS) {
      stop.replace(signal, handler);
    }
    return stop;
  }

  boolean isRequested() {
    return requested.get();
  }

  private void signalled(PrintStream err) {
    if (requested.getAndSet(true)) {
      Runtime.getRuntime().halt(ExitCode.STOPPED);
    }
    err.println("stopping after this step; a second Ctrl-C stops immediately and loses progress since the last checkpoint");
    err.flush();
  }

  private void replace(String name, InvocationHandler handler) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Object proxy = Proxy.newProxyInstance(handlerType.getClassLoader(), new Class<?>[] {handlerType}, handler);
      Object ours = signal.getConstructor(String.class).newInstance(name);
      replaced.add(new Replaced(ours, signal.getMethod("handle", signal, handlerType).invoke(null, ours, proxy)));
    } catch (ReflectiveOperationException e) {
      // Then the signal ends the process, and the last checkpoint is what is left.
    }
  }

  @Override
  public void close() {
    for (Replaced was : replaced) {
      try {
        Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
        Class<?> signal = was.signal().getClass();
        signal.getMethod("handle", signal, handlerType).invoke(null, was.signal(), was.handler());
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("the handler of a signal cannot be put back", e);
      }
    }
    replaced.clear();
  }
}

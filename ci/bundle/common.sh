# What the scripts beside this file share.
here=$(cd "$(dirname "$0")" && pwd)

# Starts a class with all that is in the bundle. UNROLL_JAVA_OPTIONS are further options of java.
start() {
  "$here/java/bin/java" --enable-native-access=ALL-UNNAMED -Dslf4j.internal.verbosity=ERROR \
    ${UNROLL_JAVA_OPTIONS:-} -cp "$here/tests:$here/lib/*" "$@"
}

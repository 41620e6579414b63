/** The command line {@code unroll}: {@link io.unroll.cli.Main} and one class for each command. */
package io.unroll.cli;

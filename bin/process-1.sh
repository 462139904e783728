# Runs its arguments as a child, and exits with its status: as process 1, in a container without an init. Orphans become
# children of process 1, and remain as zombies until it waits for them. A shell does so while it waits for its own child.
# Node waits only for children that it has started.

signals='HUP INT QUIT TERM USR1 USR2'
child=
early=
status=

# Only with commands of the shell itself: for another program it would wait, and might reap the child.
pass_on() {
  interrupted=yes
  if [ -n "$child" ]; then kill -s "$1" "$child" 2>/dev/null; else early="$early $1"; fi
}
for signal in $signals; do
  # shellcheck disable=SC2064 -- $signal has to be expanded now
  trap "pass_on $signal" "$signal"
done

# In a session of its own: Ctrl-C reaches all processes of the terminal's session, and the child would receive it twice.
if command -v setsid >/dev/null; then set -- setsid "$@"; fi
# The shell would replace the input of a background command with /dev/null.
"$@" <&0 &
child=$!
for signal in $early; do kill -s "$signal" "$child"; done

while :; do
  interrupted=
  wait "$child"
  code=$?
  # A second `wait` for a child that has been reaped returns 127 in some shells.
  if [ "$code" -ne 127 ] || [ -z "$status" ]; then status=$code; fi
  [ -n "$interrupted" ] || exit "$status"
done

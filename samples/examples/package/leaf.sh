#!/bin/sh
# Prints as many leaves as it is told.
if [ "$1" = --version ]; then
  echo "leaf @version@"
  exit
fi
count=${1:-5}
while [ "$count" -gt 0 ]; do
  printf '@symbol@ '
  count=$((count - 1))
done
echo

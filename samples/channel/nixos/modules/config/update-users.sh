# update-users.sh, sourced with the arguments SPEC and mutable|immutable in a subshell: brings /etc/passwd, /etc/group and /etc/shadow to what SPEC declares.
#
# SPEC has one line an account, fields separated by tabs, `-` for none:
#   group NAME GID MEMBERS      user NAME UID GROUP DESCRIPTION HOME SHELL KIND HOME-MODE SECRET
# Existing numbers and passwords stay. Numbers given once are remembered in /var/lib/nixos, so that an account which is
# removed and declared again gets the same number. With `immutable` nothing stays that SPEC does not declare.
# Each file is written beside its place and renamed into it.
set -eu
spec=$1
mode=$2
state=/var/lib/nixos

# The root file system is made anew at each boot: what was kept of these files is their state.
if [ ! -e /etc/passwd ] && [ -e "$state/passwd" ]; then
  cp -p "$state/passwd" "$state/group" "$state/shadow" /etc/
fi
# Nothing to do when these very accounts were put in place last time: the result would be the files as they are.
if [ -e "$state/applied" ] && [ -e /etc/passwd ]; then
  read -r applied < "$state/applied" || applied=
  if [ "$applied" = "$spec $mode" ] && [ "$mode" = mutable ]; then
    cp -p /etc/passwd /etc/group /etc/shadow "$state/"
    exit 0
  fi
fi

mkdir -p "$state" /etc
for file in /etc/passwd /etc/group /etc/shadow "$state/uid-map" "$state/gid-map" "$state/declared-users" "$state/declared-groups"; do
  [ -e "$file" ] || : > "$file"
done

umask 077
awk -F '\t' -v mode="$mode" -v state="$state" '
  function number(kind, low, high,   n) {
    for (n = low; n <= high; n++) if (!((kind, n) in used)) { used[kind, n] = 1; return n }
    print "no free number between " low " and " high > "/dev/stderr"; exit 1
  }
  function hashed(plain,   command, result, quoted) {
    quoted = plain; gsub(/\047/, "\047\\\047\047", quoted)
    command = "printf %s \047" quoted "\047 | mkpasswd -m sha512 -P 0"
    command | getline result; close(command)
    return result
  }
  function rememberUid(name, n) { if (!(name in mapUid)) uidNames[++uidCount] = name; mapUid[name] = n; used["u", n] = 1 }
  function rememberGid(name, n) { if (!(name in mapGid)) gidNames[++gidCount] = name; mapGid[name] = n; used["g", n] = 1 }
  BEGIN {
    while ((getline line < "/etc/passwd") > 0) { split(line, p, ":"); oldUser[p[1]] = line; oldUid[p[1]] = p[3]; used["u", p[3]] = 1; if (!(p[1] in seenUser)) { seenUser[p[1]] = 1; userOrder[++users] = p[1] } }
    while ((getline line < "/etc/group") > 0) { split(line, p, ":"); oldGroup[p[1]] = line; oldGid[p[1]] = p[3]; used["g", p[3]] = 1; if (!(p[1] in seenGroup)) { seenGroup[p[1]] = 1; groupOrder[++groups] = p[1] } }
    while ((getline line < "/etc/shadow") > 0) { split(line, p, ":"); oldShadow[p[1]] = line; oldHash[p[1]] = p[2] }
    while ((getline line < (state "/uid-map")) > 0) { split(line, p, ":"); rememberUid(p[1], p[2]) }
    while ((getline line < (state "/gid-map")) > 0) { split(line, p, ":"); rememberGid(p[1], p[2]) }
    # A first pass over the declared numbers, so that none of them is given away.
    while ((getline line < ARGV[1]) > 0) { split(line, p, "\t"); if (p[3] != "-") used[p[1] == "user" ? "u" : "g", p[3]] = 1 }
  }
  $1 == "group" {
    gid = $3
    if (gid == "-") gid = ($2 in oldGid) ? oldGid[$2] : ($2 in mapGid) ? mapGid[$2] : number("g", 400, 999)
    members = $4 == "-" ? "" : $4
    gidOf[$2] = gid; rememberGid($2, gid)
    newGroup[$2] = $2 ":x:" gid ":" members
    if (!($2 in seenGroup)) { seenGroup[$2] = 1; groupOrder[++groups] = $2 }
  }
  $1 == "user" {
    uid = $3
    if (uid == "-") uid = ($2 in oldUid) ? oldUid[$2] : ($2 in mapUid) ? mapUid[$2] : ($8 == "normal") ? number("u", 1000, 29999) : number("u", 400, 999)
    rememberUid($2, uid)
    description = $5 == "-" ? "" : $5
    newUser[$2] = $2 ":x:" uid ":" gidOf[$4] ":" description ":" $6 ":" $7
    hash = ($2 in oldHash && (mode == "mutable" || $10 ~ /^initial/)) ? oldHash[$2] : ""
    known = ($2 in oldHash)
    kind = $10; sub(/=.*/, "", kind)
    value = $10; sub(/^[^=]*=/, "", value)
    if (kind == "hash" && (mode == "immutable" || !known)) hash = value
    else if (kind == "plain" && (mode == "immutable" || !known)) hash = hashed(value)
    else if (kind == "file" && (mode == "immutable" || !known)) { if ((getline hash < value) <= 0) hash = "!"; close(value) }
    else if (kind == "initial-hash" && !known) hash = value
    else if (kind == "initial-plain" && !known) hash = hashed(value)
    else if (kind == "-" && !known) hash = "!"
    newShadow[$2] = $2 ":" hash ":1::::::"
    if (!($2 in seenUser)) { seenUser[$2] = 1; userOrder[++users] = $2 }
    if ($9 != "-") print $2 "\t" uid "\t" gidOf[$4] "\t" $6 "\t" $9 > "/etc/.homes"
  }
  END {
    printf "" > "/etc/.passwd"; printf "" > "/etc/.shadow"; printf "" > "/etc/.group"
    printf "" > (state "/.declared-users"); printf "" > (state "/.declared-groups")
    while ((getline line < (state "/declared-users")) > 0) wasUser[line] = 1
    while ((getline line < (state "/declared-groups")) > 0) wasGroup[line] = 1
    for (i = 1; i <= users; i++) {
      name = userOrder[i]
      if (name in newUser) { print newUser[name] > "/etc/.passwd"; print newShadow[name] > "/etc/.shadow"; print name > (state "/.declared-users") }
      else if (mode == "mutable" && !(name in wasUser)) { print oldUser[name] > "/etc/.passwd"; print oldShadow[name] > "/etc/.shadow" }
      else print "removing user \342\200\230" name "\342\200\231" > "/dev/stderr"
    }
    for (i = 1; i <= groups; i++) {
      name = groupOrder[i]
      if (name in newGroup) { print newGroup[name] > "/etc/.group"; print name > (state "/.declared-groups") }
      else if (mode == "mutable" && !(name in wasGroup)) print oldGroup[name] > "/etc/.group"
    }
    for (i = 1; i <= uidCount; i++) print uidNames[i] ":" mapUid[uidNames[i]] > (state "/.uid-map")
    for (i = 1; i <= gidCount; i++) print gidNames[i] ":" mapGid[gidNames[i]] > (state "/.gid-map")
  }
' "$spec"

chmod 644 /etc/.passwd /etc/.group
for file in uid-map gid-map declared-users declared-groups; do
  mv "$state/.$file" "$state/$file"
done
for file in group shadow passwd; do
  mv "/etc/.$file" "/etc/$file"
done
cp -p /etc/passwd /etc/group /etc/shadow "$state/"
if [ -e /etc/.homes ]; then
  umask 022
  while IFS='	' read -r name uid gid home permissions; do
    if [ ! -d "$home" ]; then
      mkdir -p "$home"
      chown "$uid:$gid" "$home"
      chmod "$permissions" "$home"
    fi
  done < /etc/.homes
  rm /etc/.homes
fi
echo "$spec $mode" > "$state/applied"

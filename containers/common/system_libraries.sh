# For Dockerfiles: the system's libraries that Python extensions need and the base lacks.
#
#   sh system_libraries.sh TARGET PACKAGES EXTENSION...
#
# Wheels leave some libraries to the system (PEP 513: OpenCV's lack GLib), and an image without a
# desktop may have none. PACKAGES (Debian's names, in one word) are installed only when something is
# missing, and what that brought for the EXTENSIONs is copied to TARGET, for an image that cannot
# install anything itself. TARGET is there afterwards, empty when the base has everything.
set -eu

target=$1
packages=$2
shift 2
mkdir -p "$target"

found() { ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u; }
missing() { ldd "$@" | awk '/=> not found/ { print $1 }' | sort -u; }

[ -n "$(missing "$@")" ] || exit 0
before=$(found "$@")
# The keys of these two have expired in older bases, and nothing is needed from them.
rm -f /etc/apt/sources.list.d/cuda.list /etc/apt/sources.list.d/nvidia-ml.list
apt-get update -qq
# Unquoted: one word for each package.
apt-get install -qq -y --no-install-recommends $packages
if [ -n "$(missing "$@")" ]; then
    echo "$packages did not bring" $(missing "$@") >&2
    exit 1
fi
for path in $(found "$@"); do
    case "
$before
" in *"
$path
"*) ;; *) cp -L "$path" "$target/" ;; esac
done

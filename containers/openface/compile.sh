# For the Dockerfile: /opt/openface/bin/FeatureExtraction with its models, and what it was made from.
# Takes UPSTREAM, COMMIT, DLIB and OPENCV from the environment.
set -eu

PREFIX=/opt/openface
PREBUILT=/home/openface-build/build/bin/FeatureExtraction
mkdir -p "$PREFIX/bin" /opt/bench

if [ -x "$PREBUILT" ]; then
    # It looks for its models next to itself, so it is called and not copied.
    printf '#!/bin/sh\nexec %s "$@"\n' "$PREBUILT" > "$PREFIX/bin/FeatureExtraction"
    chmod 755 "$PREFIX/bin/FeatureExtraction"
    printf '{"source": "%s", "revision": "the base image, of unknown revision"}' \
        "$UPSTREAM" > /opt/bench/upstream.json
    exit 0
fi

apt-get update -qq
apt-get install -qq -y --no-install-recommends build-essential cmake g++-8 ninja-build pkg-config
export CC=gcc-8 CXX=g++-8

source_of() {  # UPSTREAM COMMIT FOLDER RECORD [--contains ...]
    python3 /tmp/fetch_source.py "$@"
}

configure() {  # FOLDER [CMAKE OPTIONS]; CMake before 3.13 has no -S and -B
    mkdir -p "$1/build"
    (cd "$1/build" && shift && cmake -G Ninja -D CMAKE_BUILD_TYPE=Release "$@" ..)
}

install_from() {  # FOLDER
    cmake --build "$1/build"
    cmake --build "$1/build" --target install
}

# Where upstream moved a text that the driver reads, the build fails and not the measurement.
source_of "$UPSTREAM" "$COMMIT" /src/openface /opt/bench/upstream.json \
    --contains "exe/FeatureExtraction/FeatureExtraction.cpp: Could not load the landmark detector" \
    --contains "exe/FeatureExtraction/FeatureExtraction.cpp: Postprocessing the Action Unit predictions" \
    --contains "lib/local/Utilities/src/SequenceCapture.cpp: Failed to open the video file at location" \
    --contains "lib/local/Utilities/src/RecorderOpenFace.cpp: -of" \
    --contains "lib/local/Utilities/src/RecorderCSV.cpp: face_id"
source_of https://github.com/davisking/dlib "$DLIB" /src/dlib /opt/bench/dlib.json
source_of https://github.com/opencv/opencv "$OPENCV" /src/opencv /opt/bench/opencv.json
python3 /tmp/fetch_weights.py /tmp/version.json
cp /opt/models/cen_patches_*.dat /src/openface/lib/local/LandmarkDetector/model/patch_experts/

configure /src/dlib -D CMAKE_INSTALL_PREFIX="$PREFIX"
install_from /src/dlib
configure /src/opencv -D CMAKE_INSTALL_PREFIX="$PREFIX" -D WITH_TBB=ON -D WITH_CUDA=OFF \
    -D WITH_QT=OFF -D WITH_GTK=OFF -D BUILD_TESTS=OFF -D BUILD_PERF_TESTS=OFF \
    -D BUILD_EXAMPLES=OFF -D BUILD_opencv_python2=OFF -D BUILD_opencv_python3=OFF
install_from /src/opencv
configure /src/openface -D CMAKE_INSTALL_PREFIX="$PREFIX" -D CMAKE_PREFIX_PATH="$PREFIX" \
    -D CMAKE_INSTALL_RPATH="$PREFIX/lib"
install_from /src/openface

for model in 0.25 0.35 0.50 1.00; do
    test -s "$PREFIX/etc/OpenFace/model/patch_experts/cen_patches_${model}_of.dat"
done
if ldd "$PREFIX/bin/FeatureExtraction" | grep "not found"; then
    exit 1
fi
rm -rf "$PREFIX/include"

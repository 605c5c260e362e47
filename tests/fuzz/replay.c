/* Runs a fuzz target over the files named on the command line, and over each cut short. */
#include "fuzz/fuzz.h"

int main(int argc, char **argv)
{
    static uint8_t data[1 << 20];
    int i;

    for (i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        size_t size, cut;

        if (!file) {
            fprintf(stderr, "%s: cannot be opened\n", argv[i]);
            return 1;
        }
        size = fread(data, 1, sizeof(data), file);
        fclose(file);
        LLVMFuzzerTestOneInput(data, size);
        for (cut = 0; cut < size && cut < 2000; cut++)
            LLVMFuzzerTestOneInput(data, cut);
    }
    printf("%d seeds\n", argc - 1);
    return argc > 1 ? 0 : 1;
}

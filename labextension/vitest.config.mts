import { defineConfig } from "vitest/config";

export default defineConfig({
  esbuild: { jsx: "transform" },
  test: {
    environment: "node",
    include: ["test/**/*.spec.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

"""The routes about developers and companies (docs/analytics.md): queries, answers, exports."""

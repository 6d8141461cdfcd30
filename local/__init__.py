"""The laptop edition: what AWS and Supabase are in the cloud, here as processes inside the project folder."""
